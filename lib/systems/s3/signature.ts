// AWS Signature Version 4 for one request without a body (docs.aws.amazon.com, "Authenticating Requests: Authorization Header").
import { createHash, createHmac } from "node:crypto";

export type Signer = { readonly region: string; readonly access_key: string; readonly secret_key: string };

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const emptyBody = sha256("");

/**
 * The headers to send, Authorization among them. `path` is percent-encoded already; `query` holds no "?" and is sorted and encoded.
 * `headers` are signed too.
 */
export function signed(
  signer: Signer,
  request: {
    readonly method: string;
    readonly host: string;
    readonly path: string;
    readonly query?: string;
    readonly headers?: Readonly<Record<string, string>>;
  },
  at: Date,
): Record<string, string> {
  const time = at.toISOString().replace(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const own: Record<string, string> = { "x-amz-content-sha256": emptyBody, "x-amz-date": time };
  for (const [name, value] of Object.entries(request.headers ?? {})) own[name.toLowerCase()] = value.trim();
  const all = Object.entries({ ...own, host: request.host }).sort(([one], [other]) => (one < other ? -1 : 1));
  const names = all.map(([name]) => name).join(";");
  const canonical = [
    request.method,
    request.path,
    request.query ?? "",
    ...all.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    emptyBody,
  ].join("\n");
  const scope = `${day}/${signer.region}/s3/aws4_request`;
  const key = [signer.region, "s3", "aws4_request"].reduce<Buffer>(
    hmac,
    hmac(`AWS4${signer.secret_key}`, day),
  );
  const signature = hmac(key, ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n")).toString(
    "hex",
  );
  return {
    ...own,
    authorization: `AWS4-HMAC-SHA256 Credential=${signer.access_key}/${scope},SignedHeaders=${names},Signature=${signature}`,
  };
}
