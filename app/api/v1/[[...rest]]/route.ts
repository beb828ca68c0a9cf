// The REST API.
import { answerRest } from "@/lib/api/rest";

export {
  answerRest as DELETE,
  answerRest as GET,
  answerRest as PATCH,
  answerRest as POST,
  answerRest as PUT,
};
