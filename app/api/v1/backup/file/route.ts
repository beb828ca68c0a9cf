// A file of a snapshot, or a folder as tar or zip.
import { answerBackupFile } from "@/lib/api/backup-file";

export { answerBackupFile as GET };
