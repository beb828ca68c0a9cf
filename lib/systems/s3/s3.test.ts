// A bucket: the signature by AWS's published examples, and each answer of a HEAD in our words.
import { afterEach, expect, test } from "vitest";
import { closeServers, problemOf, web, wrongAnswers } from "../test-server";
import { probe, type S3Bucket } from "./bucket";
import { signed } from "./signature";

afterEach(closeServers);

// docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
const example = {
  region: "us-east-1",
  access_key: "AKIAIOSFODNN7EXAMPLE",
  secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const host = "examplebucket.s3.amazonaws.com";
const then = new Date("2013-05-24T00:00:00Z");

test.each([
  [
    { path: "/test.txt", headers: { Range: "bytes=0-9" } },
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  ],
  [{ path: "/", query: "lifecycle=" }, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"],
  [
    { path: "/", query: "max-keys=2&prefix=J" },
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  ],
])("signs %o as Amazon does", (request, signature) => {
  const { authorization } = signed(example, { method: "GET", host, ...request }, then);
  expect(authorization).toContain("Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,");
  expect(authorization?.split("Signature=")[1]).toBe(signature);
});

const at = (url: string): S3Bucket => ({
  ...example,
  name: "media",
  url,
  bucket: "pictures",
  style: "path",
  timeout: 300,
});

test("a server that checks the signature itself lets the right keys in, and no others", async () => {
  const url = await web((request, response) => {
    const time = String(request.headers["x-amz-date"]).replace(
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
      "$1-$2-$3T$4:$5:$6Z",
    );
    const right = signed(
      example,
      { method: request.method ?? "", host: request.headers.host ?? "", path: request.url ?? "" },
      new Date(time),
    );
    const known = request.method === "HEAD" && request.url === "/pictures";
    response.writeHead(request.headers.authorization !== right.authorization ? 403 : known ? 200 : 404).end();
  });
  expect(await probe(at(url))).toMatchObject({
    state: "up",
    data: { facts: { bucket: "pictures", region: "us-east-1" } },
  });
  expect(problemOf(await probe({ ...at(url), bucket: "other" }))).toBe("s3.noBucket");
  const wrong = await probe({ ...at(url), secret_key: "hunter2hunter2" });
  expect(problemOf(wrong)).toBe("s3.auth");
  expect(JSON.stringify(wrong)).not.toContain("hunter2");
});

test("the bucket's name in the host: that is where it goes, and not to the endpoint", async () => {
  const probed = await probe({ ...at("http://s3.invalid"), style: "host" });
  expect(probed).toMatchObject({ error: { detail: { params: { address: "http://pictures.s3.invalid" } } } });
});

test("another region, a clock that is wrong", async () => {
  const headed = (status: number, headers: Record<string, string>) =>
    web((_, response) => response.writeHead(status, headers).end());
  const region = await headed(301, { "x-amz-bucket-region": "eu-west-3", location: "http://127.0.0.1:9/" });
  expect(await probe(at(region))).toMatchObject({
    error: { detail: { problem: "s3.region", params: { region: "eu-west-3" } } },
  });
  const early = await headed(403, { date: new Date(Date.now() - 3_600_000).toUTCString() });
  expect(problemOf(await probe(at(early)))).toBe("s3.clock");
});

test("what is wrong is told", async () => {
  const page = await web((_, response) =>
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(),
  );
  expect(problemOf(await probe(at(page)))).toBe("s3.other");
  const { page: _, ...others } = await wrongAnswers((url) => probe(at(url)));
  expect(others).toEqual({
    refused: "http.connectionRefused",
    hanging: "http.timeout",
    moved: "s3.failing",
    password: "s3.auth",
    failing: "s3.failing",
  });
});
