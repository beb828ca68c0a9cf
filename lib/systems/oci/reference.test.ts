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
  [`app@sha512:${"b".repeat(128)}`, "docker.io", "library/app", null, `sha512:${"b".repeat(128)}`],
  ["[::1]:5000/app:1", "[::1]:5000", "app", "1", null],
  ["Registry/app", "Registry", "app", "latest", null],
  ["docker.io/localhost/app", "docker.io", "localhost/app", "latest", null],
])("%s", (text, registry, repository, tag, digestOf) => {
  expect(parseReference(text)).toEqual({ registry, repository, tag, digest: digestOf });
});

test.each([
  ["", "oci.badRepository"],
  ["Nginx", "oci.badRepository"],
  ["team//app", "oci.badRepository"],
  ["a".repeat(64), "oci.badRepository"],
  [`team/${"a".repeat(251)}`, "oci.badRepository"],
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
  const part = fc.oneof(
    fc.stringMatching(/^[a-z0-9]{1,8}$/),
    fc.stringMatching(/^[a-z0-9]{1,4}(\.|_|__|-{1,3})[a-z0-9]{1,4}$/),
    fc.constantFrom("library", "localhost", "docker.io", "a".repeat(64)),
  );
  fc.assert(
    fc.property(
      fc.constantFrom("docker.io", "ghcr.io", "registry:5000", "localhost", "[::1]:5000", "Host"),
      fc.array(part, { minLength: 1, maxLength: 3 }),
      fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/)),
      fc.boolean(),
      (registry, parts, tag, pinned) => {
        const official = registry === "docker.io" && parts.length === 1;
        const repository = official ? `library/${parts[0]}` : parts.join("/");
        const one = { registry, repository, tag, digest: pinned || tag === null ? digest : null };
        expect(parseReference(formatReference(one))).toEqual(one);
      },
    ),
  );
});

test("any text is read or refused in our words, and what is read can be written", () => {
  const glyphs = fc.string({ unit: fc.constantFrom(..."aA1.:/@_-[] é?%\n"), maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(fc.string(), glyphs), (text) => {
      try {
        const one = parseReference(text);
        expect(parseReference(formatReference(one))).toEqual(one);
      } catch (error) {
        expect(error).toMatchObject({
          code: "INVALID_INPUT",
          detail: { problem: expect.stringMatching(/^oci\.bad/) },
        });
      }
    }),
  );
});

test.each([
  ["docker.io/library/nginx:1", "nginx"],
  ["docker.io/prom/prometheus", "prom/prometheus"],
  ["docker.io/library/a/b", "library/a/b"],
  ["docker.io/localhost/a", "docker.io/localhost/a"],
  ["docker.io/foo.bar/a", "docker.io/foo.bar/a"],
  ["ghcr.io/library/a", "ghcr.io/library/a"],
])("%s is shown as %s", (text, shown) => {
  expect(familiarName(parseReference(text))).toBe(shown);
});

describe("newer versions", () => {
  test.each([
    ["1.27", ["1.26", "1.27", "1.28", "1.28-alpine", "1.28.1", "latest"], ["1.28"]],
    ["1.27-alpine", ["1.28-alpine", "1.28", "2.0-alpine"], ["2.0-alpine", "1.28-alpine"]],
    ["v2.9", ["v2.10", "2.11", "v2.10.1"], ["v2.10"]],
    ["10.11.6", ["10.11.10", "10.11.9", "11.4.2", "11.4.2-rc1"], ["11.4.2", "10.11.10", "10.11.9"]],
    ["2.0.0-rc1", ["2.0.1-rc2", "2.0.1"], ["2.0.1-rc2"]],
    ["2.0.0-rc1", ["2.0.0-rc10", "2.0.0-rc2", "2.0.0-beta3"], ["2.0.0-rc10", "2.0.0-rc2"]],
    ["2.0.0-beta.3", ["2.0.0-rc.1", "2.0.0-beta.2"], ["2.0.0-rc.1"]],
    ["2.0-rc1-alpine", ["2.1-rc1", "2.1-rc1-alpine"], ["2.1-rc1-alpine"]],
    ["1.2.3-archlinux", ["1.3.0-archlinux", "1.3.0-rc1", "1.4.0-alpha"], ["1.3.0-archlinux"]],
    ["1.0-express", ["1.1-dev", "1.1-express"], ["1.1-express"]],
    ["3.13.0", ["3.14.0a1", "3.14.0-M1", "3.14.0rc2", "3.14.0-preview.1", "3.13.1"], ["3.13.1"]],
    ["3.14.0a1", ["3.14.0b1", "3.14.0a2"], ["3.14.0b1", "3.14.0a2"]],
    ["21.0.1-b08", ["21.0.2-b08", "21.0.2-b13"], ["21.0.2-b08"]],
    ["3", ["4", "20240923"], ["4"]],
    ["20240102030405060708", ["20240102030405060709"], ["20240102030405060709"]],
    ["2024.01.02", ["2024.03.01", "2023.12.31"], ["2024.03.01"]],
    ["latest", ["1.0", "2.0"], []],
    ["bookworm", ["trixie"], []],
  ])("%s", (current, all, newer) => {
    expect(newerTags(current, all)).toEqual(newer);
  });
});
