// History as one file.
import { answerExport } from "@/lib/api/export";

export { answerExport as GET };
