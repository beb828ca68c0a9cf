// A bucket of S3 or of what speaks like it: whether it is there, and ours to use (HeadBucket).
import { AppError } from "../../errors/app-error";
import { type Answer, exchange } from "../exchange";
import { look } from "../look";
import type { Probed } from "../system";
import { type Signer, signed } from "./signature";

/** One bucket, as sluice.yaml has it. */
export type S3Bucket = Signer & {
  readonly name: string;
  /** The service's endpoint, without the bucket. */
  readonly url: string;
  readonly bucket: string;
  /** "path": endpoint/bucket; "host": bucket.endpoint. */
  readonly style: "path" | "host";
  /** Milliseconds. */
  readonly timeout: number;
};

/** S3 refuses what is signed with a clock that differs by more than 15 minutes. */
const mostSkewMs = 15 * 60_000;

function refusal(bucket: S3Bucket, answer: Answer): AppError {
  const params = { system: bucket.name, bucket: bucket.bucket, status: answer.status };
  const region = answer.headers["x-amz-bucket-region"];
  // HEAD has no body that would say why: the headers do.
  if ((answer.status === 301 || answer.status === 307 || answer.status === 400) && region !== undefined)
    return new AppError("REFUSED", `${bucket.name}: ${bucket.bucket} is in another region: ${region}.`, {
      problem: "s3.region",
      params: { ...params, region: region.slice(0, 40) },
    });
  if (answer.status === 401 || answer.status === 403) {
    const skew = Math.abs(Date.parse(answer.headers.date ?? "") - Date.now());
    if (skew > mostSkewMs)
      return new AppError("UPSTREAM_AUTH", `${bucket.name}: our clock and its differ too much.`, {
        problem: "s3.clock",
        params: { ...params, minutes: Math.round(skew / 60_000) },
      });
    return new AppError("UPSTREAM_AUTH", `${bucket.name} does not let these keys use ${bucket.bucket}.`, {
      problem: "s3.auth",
      params,
    });
  }
  if (answer.status === 404)
    return new AppError("REFUSED", `${bucket.name} has no bucket ${bucket.bucket}.`, {
      problem: "s3.noBucket",
      params,
    });
  return new AppError("BAD_ANSWER", `${bucket.name} answers ${answer.status}.`, {
    problem: "s3.failing",
    params,
  });
}

/** Facts: bucket, region. */
export const probe = (bucket: S3Bucket): Promise<Probed> =>
  look(`s3:${bucket.name}`, async () => {
    const endpoint = new URL(bucket.url);
    const host = bucket.style === "host" ? `${bucket.bucket}.${endpoint.host}` : endpoint.host;
    const path = bucket.style === "host" ? "/" : `/${bucket.bucket}`;
    const prefix = endpoint.pathname.replace(/\/+$/, "");
    const request = { method: "HEAD", host, path: prefix + path };
    const answer = await exchange({
      base: `${endpoint.protocol}//${host}`,
      path: request.path,
      method: request.method,
      headers: signed(bucket, request, new Date()),
      timeoutMs: bucket.timeout,
    });
    if (answer.status !== 200) throw refusal(bucket, answer);
    // A page for people: a console, or a proxy's sign-in.
    if (/^text\/html/i.test(answer.headers["content-type"] ?? ""))
      throw new AppError("BAD_ANSWER", `What answers at ${endpoint.origin} is no S3.`, {
        problem: "s3.other",
        params: { address: endpoint.origin },
      });
    return { version: null, facts: { bucket: bucket.bucket, region: bucket.region } };
  });
