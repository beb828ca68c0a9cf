// Names of images and their versions.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { familiarName, formatReference, newerTags, parseReference } from "./reference";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["nginx", "docker.io", "library/nginx", "latest", null],
  ["nginx:1.27", "docker.io", "library/nginx", "1.27", null],
  ["prom/prometheus:v2", "docker.io", "prom/prometheus", "v2", null],
  ["docker.io/library/redis", "docker.io", "library/redis", "latest", null],
  ["ghcr.io/team/app:1.2.3", "ghcr.io", "team/app", "1.2.3", null],
  ["registry:5000/a/b/c", "registry:5000", "a/b/c", "latest", null],
  ["localhost/app", "localhost", "app", "latest", null],
  [`127.0.0.1:5000/app@${digest}`, "127.0.0.1:5000", "app", null, digest],
  [`app:1@${digest}`, "docker.io", "library/app", "1", digest],
])("%s", (text, registry, repository, tag, digestOf) => {
  expect(parseReference(text)).toEqual({ registry, repository, tag, digest: digestOf });
});

test.each([
  ["", "oci.badRepository"],
  ["Nginx", "oci.badRepository"],
  ["team//app", "oci.badRepository"],
  ["a b", "oci.badRepository"],
  ["../../etc", "oci.badRegistry"],
  ["-bad.example/app", "oci.badRegistry"],
  ["app:", "oci.badTag"],
  [`app:${"x".repeat(129)}`, "oci.badTag"],
  ["app@sha256:abc", "oci.badDigest"],
  ["app@md5:abc", "oci.badDigest"],
  ["app:1?x=y", "oci.badTag"],
])("%s is refused", (text, problem) => {
  expect(() => parseReference(text)).toThrow(
    expect.objectContaining({ detail: expect.objectContaining({ problem }) }),
  );
});

test("what is written is read the same", () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  fc.assert(
    fc.property(
      fc.constantFrom("docker.io", "ghcr.io", "registry:5000", "localhost"),
      fc.array(part, { minLength: 2, maxLength: 4 }),
      fc.stringMatching(/^\w[\w.-]{0,20}$/),
      fc.boolean(),
      (registry, parts, tag, pinned) => {
        const one = { registry, repository: parts.join("/"), tag, digest: pinned ? digest : null };
        expect(parseReference(formatReference(one))).toEqual(one);
      },
    ),
  );
  expect(familiarName(parseReference("docker.io/library/nginx:1"))).toBe("nginx");
});

describe("newer versions", () => {
  test.each([
    ["1.27", ["1.26", "1.27", "1.28", "1.28-alpine", "1.28.1", "latest"], ["1.28"]],
    ["1.27-alpine", ["1.28-alpine", "1.28", "2.0-alpine"], ["2.0-alpine", "1.28-alpine"]],
    ["v2.9", ["v2.10", "2.11", "v2.10.1"], ["v2.10"]],
    ["10.11.6", ["10.11.10", "10.11.9", "11.4.2", "11.4.2-rc1"], ["11.4.2", "10.11.10", "10.11.9"]],
    ["2.0.0-rc1", ["2.0.1-rc2", "2.0.1"], ["2.0.1-rc2"]],
    ["2024.01.02", ["2024.03.01", "2023.12.31"], ["2024.03.01"]],
    ["latest", ["1.0", "2.0"], []],
    ["bookworm", ["trixie"], []],
  ])("%s", (current, all, newer) => {
    expect(newerTags(current, all)).toEqual(newer);
  });
});
