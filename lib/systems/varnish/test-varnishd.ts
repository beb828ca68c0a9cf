// For tests only: a varnishd of its own beside the stack, on ports of the loopback.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { TestStack } from "../test-stack";

const run = promisify(execFile);
const docker = async (...args: string[]): Promise<string> =>
  (await run("docker", args, { timeout: 30_000 })).stdout.trim();

/** Starts varnishd of the stack's image with these arguments (beside -F, -n, -f and -S); gives the way to end it. */
export async function startVarnishd(
  stack: TestStack,
  { vcl, secret, args }: { readonly vcl: string; readonly secret: string; readonly args: readonly string[] },
): Promise<() => Promise<void>> {
  const image = await docker("inspect", "--format", "{{.Config.Image}}", stack.containers["varnish-1"] ?? "");
  const script =
    'printf %s "$SECRET" > /tmp/secret; printf %s "$VCL" > /tmp/test.vcl; exec varnishd -F -n /tmp/v -f /tmp/test.vcl -S /tmp/secret "$@"';
  const id = await docker(
    ...["run", "--detach", "--rm", "--network", "host", "--user", "root"],
    ...["--env", `VCL=${vcl}`, "--env", `SECRET=${secret}`, "--entrypoint", "/bin/sh", image],
    ...["-c", script, "sh", ...args],
  );
  return async () => void (await docker("rm", "--force", id));
}
