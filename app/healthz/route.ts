// Whether Sluice itself works, for container engines and load balancers.
import { answerHealthz } from "@/lib/api/healthz";

export const dynamic = "force-dynamic";
export { answerHealthz as GET };
