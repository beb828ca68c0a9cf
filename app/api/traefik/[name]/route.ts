// Traefik's HTTP provider polls here.
import { answerTraefik } from "@/lib/api/traefik-provider";

export { answerTraefik as GET, answerTraefik as HEAD };
