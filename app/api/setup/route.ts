// The first administrator.
import { answerSetup, answerSetupState } from "@/lib/api/sign-in";

export const dynamic = "force-dynamic";
export { answerSetup as POST, answerSetupState as GET };
