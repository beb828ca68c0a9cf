// A page's address with one of its words changed: what its filters hold, so that a link says the same to everybody.

/** The address with one of its words changed; an empty value takes it away. */
export type Address = (params: URLSearchParams, name: string, value: string) => string;

/** That of the page at `path`. */
export const addressAt =
  (path: string): Address =>
  (params, name, value) => {
    const next = new URLSearchParams(params);
    if (value === "") next.delete(name);
    else next.set(name, value);
    const text = next.toString();
    return text === "" ? path : `${path}?${text}`;
  };
