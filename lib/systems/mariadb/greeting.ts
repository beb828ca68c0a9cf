// The first words of a MariaDB or MySQL server, which it says before anybody signs in.

/** What the bytes so far amount to. */
export type Greeting =
  | { readonly state: "more" }
  | { readonly state: "greeting"; readonly version: string; readonly product: "MariaDB" | "MySQL" }
  | { readonly state: "error"; readonly code: number; readonly message: string }
  | { readonly state: "garbage" };

/** A greeting is some hundred bytes; a server's refusal carries a sentence. */
const mostBytes = 4096;

/** Reads the first packet: 3 bytes of length, 1 of sequence, then protocol 10 and a text that ends with NUL, or 0xff and an error. */
export function readGreeting(bytes: Uint8Array): Greeting {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 4) return { state: "more" };
  const length = buffer.readUIntLE(0, 3);
  if (length === 0 || length > mostBytes || buffer[3] !== 0) return { state: "garbage" };
  const first = buffer[4];
  if (first !== undefined && first !== 10 && first !== 0xff) return { state: "garbage" };
  if (buffer.length < 4 + length) return { state: "more" };
  const payload = buffer.subarray(4, 4 + length);
  if (first === 0xff) {
    if (payload.length < 3) return { state: "garbage" };
    // From protocol 4.1 on "#" and five characters of SQL state come before the text.
    const message = payload.toString("utf8", 3).replace(/^#[0-9A-Z]{5}/, "");
    return { state: "error", code: payload.readUInt16LE(1), message };
  }
  const end = payload.indexOf(0, 1);
  // Behind the version come at least the connection's number and eight bytes of salt.
  if (end < 2 || payload.length < end + 13) return { state: "garbage" };
  const said = payload.toString("latin1", 1, end);
  if (!/^\d+\.[\x21-\x7e]*$/.test(said)) return { state: "garbage" };
  // MariaDB puts 5.5.5- in front, for replicas that would not believe a 10.
  const version = said.replace(/^5\.5\.5-(?=\d+\.\d+\.\d+-MariaDB)/i, "");
  const product = /mariadb/i.test(version) ? "MariaDB" : "MySQL";
  return { state: "greeting", version: /^[\d.]+/.exec(version)?.[0].replace(/\.$/, "") ?? version, product };
}

/**
 * A sign-in that names nobody, for the server to refuse. A client that goes away instead counts as a broken connection, and
 * after a hundred of those (max_connect_errors) the server blocks the whole address, applications there included.
 */
export function anonymousLogin(): Buffer {
  // PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH.
  const head = Buffer.alloc(32);
  head.writeUInt32LE(0x00000200 | 0x00002000 | 0x00008000 | 0x00080000, 0);
  head.writeUInt32LE(1 << 24, 4);
  head[8] = 33;
  return packet(
    1,
    Buffer.concat([
      head,
      Buffer.from("sluice-probe\0"),
      Buffer.from([0]),
      Buffer.from("mysql_native_password\0"),
    ]),
  );
}

/** One packet of the protocol. */
export function packet(sequence: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = sequence;
  return Buffer.concat([head, payload]);
}
