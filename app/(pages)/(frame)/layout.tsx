// Every page behind the sign-in: the session, then the frame around it.
import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import type { ReactNode } from "react";
import { ToSignIn } from "@/components/entry/to-sign-in";
import { Frame } from "@/components/frame/frame";
import { foldCookie } from "@/components/frame/preferences";
import { identityOf } from "@/lib/auth/session";
import { describeMe } from "@/lib/users/service";

export default async function FrameLayout({ children }: { children: ReactNode }) {
  const identity = await identityOf(await headers());
  if (identity === null) return <ToSignIn />;
  const me = describeMe(identity);
  if (me.mustChangePassword) redirect("/password");
  return (
    <Frame me={me} folded={(await cookies()).has(foldCookie)}>
      {children}
    </Frame>
  );
}
