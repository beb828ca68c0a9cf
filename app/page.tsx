// The front door: to the overview; for an editor, whose job is purging, to that.
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { identityOf } from "@/lib/auth/session";
import { describeMe } from "@/lib/users/service";

export default async function Home() {
  const identity = await identityOf(await headers());
  const editor = identity !== null && describeMe(identity).role === "editor";
  redirect(editor ? "/purge" : "/overview");
}
