// Jobs report here that they ran.
import { answerHeartbeat } from "@/lib/api/heartbeat";

// HEAD too: Next would answer it by GET, and a look would be a report.
export { answerHeartbeat as GET, answerHeartbeat as HEAD, answerHeartbeat as POST };
