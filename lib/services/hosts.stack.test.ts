// The engine on other ways than a bare socket: behind a socket proxy that allows only what we ask, over TLS, over SSH.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listContainers } from "../systems/docker/containers";
import { probe } from "../systems/docker/engine";
import { watchEvents } from "../systems/docker/events";
import type { DockerEngine } from "../systems/docker/target";
import { testImage } from "../systems/docker/test-engine";
import { startTestRegistry, type TestRegistry } from "../systems/oci/test-registry";
import { freePort, testStack, until } from "../systems/test-stack";
import { watchLogs } from "./logs/logs";
import { serviceDetail } from "./service";
import { openServicesLab, type ServicesLab } from "./test-services";

const exec = promisify(execFile);
const host = "hosts";
const endless = "trap 'exit 0' TERM; while :; do echo beat; sleep 0.2; done";

const answers = (port: number) =>
  until(
    `something listens on ${port}`,
    () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(port, "127.0.0.1");
        socket.once("connect", () => {
          socket.destroy();
          resolve(true);
        });
        socket.once("error", () => resolve(false));
      }),
  );

describe.skipIf(!testStack())("ways to an engine", () => {
  let dir: string;
  let lab: ServicesLab;
  let registry: TestRegistry;
  let proxyPort: number;
  const started: ChildProcess[] = [];
  const start = (program: string, args: readonly string[], env: Record<string, string> = {}) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...env },
    });
    started.push(child);
    return child;
  };
  const openssl = (...args: string[]) => exec("openssl", args, { cwd: dir });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "sluice-hosts-"));
    registry = await startTestRegistry();
    proxyPort = await freePort();
    // Sluice knows the engine by the proxy only.
    lab = await openServicesLab(host, {
      ports: [registry.port],
      through: async (socket) => {
        const config = join(process.cwd(), "docs/socket-proxy/haproxy.cfg");
        const env = { SOCKET_PROXY_BIND: `127.0.0.1:${proxyPort}`, DOCKER_SOCKET: socket };
        start("haproxy", ["-db", "-f", config], env);
        await answers(proxyPort);
        return `url: "tcp://127.0.0.1:${proxyPort}"`;
      },
    });
  }, 120_000);
  afterAll(async () => {
    await lab?.close();
    await registry?.stop();
    for (const child of started) {
      if (child.exitCode !== null) continue;
      child.kill();
      await once(child, "exit");
    }
    await rm(dir, { recursive: true, force: true });
  }, 60_000);

  describe("behind the socket proxy of docs/socket-proxy", () => {
    test("everything that Sluice does is allowed", async () => {
      await lab.run("web", endless, "--label", "com.docker.compose.project=p");
      const control = new AbortController();
      const viewer = (async () => {
        for await (const event of lab.collector.watch(control.signal)) void event;
      })();
      await lab.row("web", ({ usage }) => usage !== null);
      expect((await serviceDetail({ host, id: "web" }, true)).row.name).toBe("web");
      const query = {
        of: [{ host, id: "web", kind: "container" as const }],
        regex: false,
        tail: 5,
        follow: true,
      };
      for await (const event of watchLogs(query, control.signal)) if (event.type === "lines") break;
      control.abort();
      await viewer;
      for (const act of ["pause", "unpause", "restart", "stop", "start", "kill", "start"]) {
        const target = { by: "containers", ids: ["web"] };
        expect([act, (await lab.change(`service.${act}`, { host, act, target })).state]).toEqual([
          act,
          "done",
        ]);
      }
      await lab.own.docker("network", "create", "back");
      await lab.own.docker("create", "--name", "app", "--network", "bridge", testImage, "sh", "-c", endless);
      await lab.own.docker("network", "connect", "back", "app");
      await lab.own.docker("start", "app");
      const image = `${registry.name}/team/app:2`;
      await lab.own.docker("tag", testImage, image);
      await lab.own.docker("push", "-q", image);
      await lab.own.docker("rmi", image);
      await lab.row("app");
      const deployed = await lab.change("service.deploy", { host, id: "app", image, watchMs: 1000 });
      expect(deployed).toMatchObject({ state: "done", outcome: "deployed" });
      const removed = await lab.change(
        "service.remove",
        { host, act: "remove", target: { by: "containers", ids: ["web"] } },
        { confirmation: "web" },
      );
      expect(removed.state).toBe("done");
    }, 90_000);

    test("an engine that goes away is told as that, and waited for", async () => {
      await lab.run("wait", endless, "--restart", "always");
      await lab.row("wait");
      await lab.own.halt();
      // What answers now is the proxy, with a page of its own.
      expect(await probe(lab.collector.host(host).engine)).toMatchObject({
        state: "down",
        error: { code: "UNREACHABLE" },
      });
      await lab.own.start();
      await until("it is watched again", async () => lab.collector.host(host).up, 20_000);
      await lab.row("wait", ({ state }) => state === "running");
      const image = "debian:again";
      await lab.own.docker("tag", testImage, image);
      const deployed = lab.change("service.deploy", { host, id: "wait", image, watchMs: 3000 });
      await until(
        "the old one stands aside",
        async () => (await lab.own.docker("ps", "-a", "--format", "{{.Names}}")).includes("wait.before"),
        20_000,
      );
      await lab.own.restart();
      const row = await deployed;
      const inspected = JSON.parse(await lab.own.docker("inspect", "wait"))[0];
      expect([row.error, inspected.Config.Image, inspected.State.Running]).toEqual([
        null,
        row.state === "done" ? image : testImage,
        true,
      ]);
      expect(await lab.own.docker("ps", "-aq", "--filter", "name=wait.")).toBe("");
      await lab.own.docker("rm", "-f", "wait");
    }, 90_000);

    test("the container that the engine is reached through is neither stopped nor deployed", async () => {
      const id = await lab.own.docker(
        ...[
          "run",
          "-d",
          "--name",
          "proxy",
          "-p",
          `127.0.0.1:${proxyPort}:80`,
          testImage,
          "sh",
          "-c",
          endless,
        ],
      );
      await lab.row("proxy");
      const target = { by: "containers", ids: ["proxy"] };
      for (const act of ["stop", "restart", "kill", "pause"])
        await expect(lab.change(`service.${act}`, { host, act, target })).rejects.toMatchObject({
          code: "FORBIDDEN",
          detail: { problem: "services.way" },
        });
      await expect(lab.change("service.deploy", { host, id, image: testImage })).rejects.toMatchObject({
        detail: { problem: "services.way" },
      });
      await lab.own.docker("rm", "-f", "proxy");
    }, 30_000);

    test.each([
      ["POST", "/containers/app/exec"],
      ["GET", "/containers/app/archive?path=/etc/shadow"],
      ["GET", "/containers/app/export"],
      ["PUT", "/containers/app/update"],
      ["POST", "/containers/app/attach"],
      ["GET", "/containers/app/json/../../app/archive?path=/"],
      ["GET", "/v1.41/secrets"],
      ["POST", "/build"],
      ["POST", "/swarm/init?x=/containers/app/start"],
      ["DELETE", "/images/debian:bookworm-slim"],
      ["PUT", "/containers/app/archive?path=/"],
      ["POST", "/volumes/create"],
      ["POST", "/containers/prune"],
    ])("%s %s is refused", async (method, path) => {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(proxyPort, "127.0.0.1");
        let text = "";
        socket.on("data", (chunk) => {
          text += String(chunk);
        });
        socket.once("close", () => resolve(text));
        socket.once("error", reject);
        socket.end(
          `${method} ${path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
        );
      });
      expect(answer.split("\r\n")[0]).toMatch(/ 403 /);
    });
  });

  test("TLS with a certificate of our own, and refused without or by another authority", async () => {
    for (const ca of ["ca", "other"])
      await openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        `/CN=${ca}`,
        "-keyout",
        `${ca}.key`,
        "-out",
        `${ca}.pem`,
      );
    await writeFile(join(dir, "san"), "subjectAltName=IP:127.0.0.1");
    for (const name of ["server", "client"]) {
      await openssl(
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        `/CN=${name}`,
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.csr`,
      );
      await openssl(
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "san",
        "-out",
        `${name}.pem`,
      );
    }
    const read = (name: string) => readFile(join(dir, name), "utf8");
    await writeFile(join(dir, "both.pem"), (await read("server.pem")) + (await read("server.key")));
    const port = await freePort();
    await writeFile(
      join(dir, "tls.cfg"),
      `defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen tls
  bind 127.0.0.1:${port} ssl crt ${dir}/both.pem ca-file ${dir}/ca.pem verify required
  server engine unix@${lab.own.socket}
`,
    );
    start("haproxy", ["-db", "-f", join(dir, "tls.cfg")]);
    await answers(port);
    const engine: DockerEngine = { name: "tls", socket: "", url: `tcp://127.0.0.1:${port}`, timeout: 3000 };
    const own = { ca: await read("ca.pem"), cert: await read("client.pem"), key: await read("client.key") };
    expect(await probe({ ...engine, ...own })).toMatchObject({ state: "up" });
    expect(await probe({ ...engine, ca: own.ca })).toMatchObject({ state: "down" });
    expect(await probe({ ...engine, ...own, ca: await read("other.pem") })).toMatchObject({
      state: "down",
      error: { code: "REFUSED", detail: { problem: "docker.tls" } },
    });
  }, 60_000);

  test("SSH: one connection for all; a host with another key is not believed", async () => {
    for (const name of ["host", "user", "stranger"])
      await exec("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(dir, name)]);
    const port = await freePort();
    await mkdir("/run/sshd", { recursive: true });
    await writeFile(
      join(dir, "sshd_config"),
      [
        `Port ${port}`,
        "ListenAddress 127.0.0.1",
        `HostKey ${dir}/host`,
        `AuthorizedKeysFile ${dir}/user.pub`,
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "PermitRootLogin prohibit-password",
        "",
      ].join("\n"),
    );
    start("/usr/sbin/sshd", ["-D", "-e", "-f", join(dir, "sshd_config")]);
    await answers(port);
    const fingerprint = async (name: string) =>
      (await exec("ssh-keygen", ["-lf", join(dir, `${name}.pub`)])).stdout.split(" ")[1] ?? "";
    const engine: DockerEngine = {
      name: "ssh",
      socket: "",
      url: `ssh://root@127.0.0.1:${port}${lab.own.socket}`,
      key: await readFile(join(dir, "user"), "utf8"),
      host_key: await fingerprint("host"),
      timeout: 5000,
    };
    expect(await probe(engine)).toMatchObject({ state: "up" });
    // More streams at once than sshd allows sessions (10): they are channels, not sessions.
    const control = new AbortController();
    const streams = Array.from({ length: 15 }, () => watchEvents(engine, control.signal));
    for (const stream of streams) expect((await stream.next()).value).toBeNull();
    expect((await listContainers(engine, true)).length).toBeGreaterThan(0);
    control.abort();
    expect(await probe({ ...engine, host_key: await fingerprint("stranger") })).toMatchObject({
      state: "down",
      error: { code: "REFUSED", detail: { problem: "docker.hostKey" } },
    });
    expect(await probe({ ...engine, key: await readFile(join(dir, "stranger"), "utf8") })).toMatchObject({
      state: "down",
      error: { detail: { problem: "docker.ssh" } },
    });
  }, 60_000);
});
