// Settings begin with the connections.
import { redirect } from "next/navigation";

export default function Settings() {
  redirect("/settings/connections");
}
