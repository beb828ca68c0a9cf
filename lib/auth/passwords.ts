// Passwords: how long they must be, and one-time ones that an administrator hands over.
import { randomInt } from "node:crypto";
import { hashPassword } from "better-auth/crypto";
import { AppError } from "../errors/app-error";

export const minPasswordLength = 10;
export const maxPasswordLength = 128;
/** No letters or digits that look alike. */
const alphabet = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";

/** Random characters in groups, read out easily: "K7QWM-3XPTA". Each character is worth almost 5 bits. */
export function randomCode(groups: number, length: number): string {
  const group = () => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
  return Array.from({ length: groups }, group).join("-");
}

/** A password for one sign-in, of some 74 bits. */
export function oneTimePassword(): string {
  return randomCode(3, 5).toLowerCase();
}

/** Throws INVALID_INPUT at `field` when a new password is too short or too long. */
export function checkNewPassword(password: string, field = "password"): void {
  if (password.length < minPasswordLength) {
    throw new AppError("INVALID_INPUT", `A password has at least ${minPasswordLength} characters.`, {
      problem: "password.tooShort",
      params: { minimum: minPasswordLength },
      field,
    });
  }
  if (password.length > maxPasswordLength) {
    throw new AppError("INVALID_INPUT", `A password has at most ${maxPasswordLength} characters.`, {
      problem: "password.tooLong",
      params: { maximum: maxPasswordLength },
      field,
    });
  }
}

/** The row, below its user's, that holds the password (scrypt). */
export async function passwordAccount(userId: string, password: string) {
  return {
    id: crypto.randomUUID(),
    accountId: userId,
    providerId: "credential",
    password: await hashPassword(password),
  };
}
