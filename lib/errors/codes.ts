// The closed list of error codes: the one vocabulary between adapters, API and interface (safe for the browser).

/** Each code with the HTTP status it is answered with. The interface translates `errors.<code>`. */
export const errorStatus = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  INVALID_INPUT: 422,
  TOO_LARGE: 413,
  CONFIRMATION_REQUIRED: 428,
  CONFLICT: 409,
  TOO_MANY_REQUESTS: 429,
  NOT_CONFIGURED: 501,
  UNREACHABLE: 502,
  TIMEOUT: 504,
  REFUSED: 502,
  BAD_ANSWER: 502,
  UPSTREAM_AUTH: 502,
  UPSTREAM_LIMIT: 503,
  CANCELLED: 409,
  CONFIG_INVALID: 500,
  DATABASE: 500,
  DISK_FULL: 507,
  INTERNAL: 500,
} as const;

export type ErrorCode = keyof typeof errorStatus;
