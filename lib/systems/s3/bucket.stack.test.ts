// HeadBucket against a server that checks signatures: what is right; what is refused.
import { describe, expect, test } from "vitest";
import { stackUrl, testStack } from "../test-stack";
import { probe } from "./bucket";

const stack = testStack();

describe.skipIf(!stack)("s3", () => {
  if (!stack) return;
  const bucket = {
    name: "backups",
    url: stackUrl(stack, "s3"),
    bucket: "backups",
    region: "us-east-1",
    access_key: stack.secrets.s3AccessKey,
    secret_key: stack.secrets.s3SecretKey,
    style: "path" as const,
    timeout: 3000,
  };
  const problem = async (change: Partial<typeof bucket>) => {
    const seen = await probe({ ...bucket, ...change });
    return seen.state === "down" ? [seen.error.code, seen.error.detail.problem] : [seen.state];
  };

  test("well", async () => {
    expect(await probe(bucket)).toMatchObject({
      state: "up",
      data: { facts: { bucket: "backups", region: "us-east-1" } },
    });
  });

  // Not here: a key that nobody has. S3 answers 403, this server 404, as to a bucket that is not there.
  test("wrong secret, no such bucket: each is told, and no secret with it", async () => {
    expect(await problem({ secret_key: "not-the-secret" })).toEqual(["UPSTREAM_AUTH", "s3.auth"]);
    expect(await problem({ bucket: "no-such-bucket" })).toEqual(["REFUSED", "s3.noBucket"]);
    expect(JSON.stringify(await probe({ ...bucket, secret_key: "not-the-secret" }))).not.toContain(
      "not-the-secret",
    );
  });

  test("what is no S3", async () => {
    expect(await problem({ url: stackUrl(stack, "prometheus") })).not.toEqual(["up"]);
  });
});
