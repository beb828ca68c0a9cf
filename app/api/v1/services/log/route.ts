// Logs as one file.
import { answerLogFile } from "@/lib/api/log-file";

export { answerLogFile as GET };
