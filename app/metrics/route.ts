// Sluice's own figures, for Prometheus.
import { answerMetrics } from "@/lib/api/metrics";

export const dynamic = "force-dynamic";
export { answerMetrics as GET };
