// Why a connection failed, in our words: what Node, undici and OpenSSL say by code.
import { AppError } from "../errors/app-error";
import { neverAskedCode } from "./never-asked";

const reasons: Readonly<
  Record<string, { code: "UNREACHABLE" | "BAD_ANSWER"; problem: string; says: string }>
> = {
  ECONNREFUSED: {
    code: "UNREACHABLE",
    problem: "http.connectionRefused",
    says: "nothing listens there (connection refused)",
  },
  ENOTFOUND: { code: "UNREACHABLE", problem: "http.unknownHost", says: "the host name is not known" },
  EAI_AGAIN: {
    code: "UNREACHABLE",
    problem: "http.unknownHost",
    says: "the host name could not be looked up",
  },
  EHOSTUNREACH: { code: "UNREACHABLE", problem: "http.noRoute", says: "no route to the host" },
  ENETUNREACH: { code: "UNREACHABLE", problem: "http.noRoute", says: "no route to the network" },
  ECONNRESET: { code: "UNREACHABLE", problem: "http.reset", says: "the connection was reset" },
  EPIPE: { code: "UNREACHABLE", problem: "http.reset", says: "the connection was closed" },
  UND_ERR_SOCKET: {
    code: "UNREACHABLE",
    problem: "http.reset",
    says: "the connection was closed before the answer",
  },
  UND_ERR_CONNECT_TIMEOUT: {
    code: "UNREACHABLE",
    problem: "http.noRoute",
    says: "no connection within the time allowed",
  },
  [neverAskedCode]: {
    code: "UNREACHABLE",
    problem: "http.neverAsked",
    says: "it was not asked, since that address is the cloud's own or no one machine's",
  },
  UND_ERR_HEADERS_OVERFLOW: {
    code: "BAD_ANSWER",
    problem: "http.garbled",
    says: "its headers are too large",
  },
};

/** The code of a foreign error or of what caused it, or an empty text. */
export const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.cause === undefined ? "" : codeOf(error.cause);
};

/** A failure of the wire to `origin` (an address without secrets), told once in our words. */
export function wireError(error: unknown, origin: string): AppError {
  if (error instanceof AppError) return error;
  const code = codeOf(error);
  const params = { address: origin };
  const known = reasons[code];
  if (known)
    return new AppError(known.code, `${origin} gave no answer: ${known.says}.`, {
      problem: known.problem,
      params,
      cause: error,
    });
  if (/^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_SSL|EPROTO)/.test(code)) {
    return new AppError("UNREACHABLE", `${origin}: its certificate or TLS was not accepted (${code}).`, {
      problem: "http.certificate",
      params: { ...params, reason: code },
      cause: error,
    });
  }
  if (
    /^HPE_|^UND_ERR_(RES|HTTP|REQ)/.test(code) ||
    (error instanceof Error && error.name === "HTTPParserError")
  ) {
    return new AppError("BAD_ANSWER", `${origin} answered something that is not HTTP (${code}).`, {
      problem: "http.garbled",
      params,
      cause: error,
    });
  }
  return new AppError("UNREACHABLE", `${origin} gave no answer${code ? ` (${code})` : ""}.`, {
    problem: "http.failed",
    params,
    cause: error,
  });
}
