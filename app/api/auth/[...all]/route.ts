// Sign-in, sessions, passwords, second factors.
import { answerAuth } from "@/lib/api/sign-in";

export { answerAuth as GET, answerAuth as POST };
