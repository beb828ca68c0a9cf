// Addresses that Sluice never connects to, whatever sluice.yaml, a container's label or a name's server says
// (docs/decisions/0019-never-asked.md). One place for HTTP and plain TCP; drivers with look-ups of their own are checked by what is written.
import { lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

const never = new BlockList();
// The cloud's own: metadata with credentials (AWS, GCP, Azure, OpenStack: RFC 3927 and fd00:ec2::/32; Alibaba; Oracle).
never.addSubnet("169.254.0.0", 16, "ipv4");
never.addSubnet("fe80::", 10, "ipv6");
never.addSubnet("fd00:ec2::", 32, "ipv6");
// The same behind translators of addresses (RFC 6052, RFC 3056).
never.addSubnet("64:ff9b::a9fe:0", 112, "ipv6");
never.addSubnet("2002:a9fe::", 32, "ipv6");
never.addAddress("100.100.100.200", "ipv4");
never.addAddress("192.0.0.192", "ipv4");
// No one machine's (RFC 6890): "this host", to many, to all.
never.addSubnet("0.0.0.0", 8, "ipv4");
never.addAddress("::", "ipv6");
never.addSubnet("224.0.0.0", 4, "ipv4");
never.addSubnet("ff00::", 8, "ipv6");
never.addAddress("255.255.255.255", "ipv4");

/** The code of the error that a guarded connection fails with. */
export const neverAskedCode = "ERR_NEVER_ASKED";

/** Whether a literal address (IPv6 with or without brackets) is one of those; false for a name, which `guardedLookup` answers for. */
export function isNeverAsked(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  const version = isIP(bare);
  return version !== 0 && never.check(bare, version === 6 ? "ipv6" : "ipv4");
}

/** Throws an error with `neverAskedCode` for a literal address that is never asked. */
export function refuseNeverAsked(host: string): void {
  if (isNeverAsked(host)) throw refusal(host);
}

const refusal = (host: string) =>
  Object.assign(new Error(`${host} is an address that is never asked`), { code: neverAskedCode });

/** The system's own look-up (node:dns), failing with `neverAskedCode` where any answer is never asked: the name is not to be trusted then. */
export const guardedLookup: LookupFunction = (hostname, options, callback) =>
  systemLookup(hostname, options, (error, address, family) => {
    const found = Array.isArray(address) ? address.map((one) => one.address) : [address];
    if (!error && found.some(isNeverAsked)) callback(refusal(hostname), address, family);
    else callback(error, address, family);
  });
