// The front door: the main job.
import { redirect } from "next/navigation";

export default function Home() {
  redirect("/purge");
}
