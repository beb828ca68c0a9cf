// IP addresses and networks as Go's net package reads them: no leading zeros, a zone is no part of the address.

/** The sixteen bytes of an address; IPv4 as ::ffff:a.b.c.d. Null for what is none. */
export function parseIp(text: string): Uint8Array | null {
  const bytes = new Uint8Array(16);
  if (!text.includes(":")) {
    const four = fourOf(text);
    if (four === null) return null;
    bytes.set([0xff, 0xff, ...four], 10);
    return bytes;
  }
  let rest = text;
  let tail: number[] = [];
  const dotted = /:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  if (dotted !== undefined) {
    const four = fourOf(dotted);
    if (four === null) return null;
    tail = [((four[0] ?? 0) << 8) | (four[1] ?? 0), ((four[2] ?? 0) << 8) | (four[3] ?? 0)];
    rest = text.slice(0, -dotted.length);
    // The last of two colons belongs to the ellipsis.
    if (!rest.endsWith("::")) rest = rest.slice(0, -1);
  }
  const halves = rest.split("::");
  if (halves.length > 2) return null;
  const groups = (half: string): number[] | null => {
    if (half === "") return [];
    const parts = half.split(":");
    return parts.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))
      ? parts.map((part) => Number.parseInt(part, 16))
      : null;
  };
  const before = groups(halves[0] ?? "");
  const after = halves.length === 2 ? groups(halves[1] ?? "") : [];
  if (before === null || after === null) return null;
  const known = before.length + after.length + tail.length;
  if (halves.length === 2 ? known > 7 : known !== 8) return null;
  const all = [...before, ...Array<number>(8 - known).fill(0), ...after, ...tail];
  all.forEach((group, index) => {
    bytes[2 * index] = group >> 8;
    bytes[2 * index + 1] = group & 0xff;
  });
  return bytes;
}

function fourOf(text: string): number[] | null {
  const parts = text.split(".");
  const fine =
    parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return fine ? parts.map(Number) : null;
}

/** A network: an address of it, and how many leading bits of the sixteen bytes count. */
export type Network = { readonly bytes: Uint8Array; readonly bits: number };

/** An address, or address/bits. Null for what is none. */
export function parseNetwork(text: string): Network | null {
  const [address = "", length, ...more] = text.split("/");
  const bytes = parseIp(address);
  if (bytes === null || more.length > 0) return null;
  const four = !address.includes(":");
  if (length === undefined) return { bytes, bits: 128 };
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (bits < 0 || bits > (four ? 32 : 128)) return null;
  return masked({ bytes, bits: four ? 96 + bits : bits });
}

const maskAt = (bits: number, at: number): number =>
  (0xff << (8 - Math.min(8, Math.max(0, bits - 8 * at)))) & 0xff;
const masked = ({ bytes, bits }: Network): Network => ({
  bytes: bytes.map((byte, at) => byte & maskAt(bits, at)),
  bits,
});
const isFour = (bytes: Uint8Array): boolean =>
  bytes.every((byte, at) => at > 11 || byte === (at < 10 ? 0 : 0xff));

/** As net.IPNet.Contains: an address of IPv4 is in no network of IPv6, not even in ::/0. */
export function contains({ bytes, bits }: Network, address: Uint8Array): boolean {
  if (isFour(bytes) !== isFour(address)) return false;
  return bytes.every((byte, at) => (byte & maskAt(bits, at)) === ((address[at] ?? 0) & maskAt(bits, at)));
}

/** host:port without its port, as net.SplitHostPort does it; null where that fails. */
export function hostOfAddress(address: string): string | null {
  const bracketed = /^\[([^[\]]*)\]:([^:[\]]*)$/.exec(address);
  if (bracketed !== null) return bracketed[1] ?? "";
  const plain = /^([^:[\]]*):([^:[\]]*)$/.exec(address);
  return plain === null ? null : (plain[1] ?? "");
}
