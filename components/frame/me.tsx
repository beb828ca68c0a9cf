"use client";
// Who is signed in, for every page in the frame.
import { createContext, type ReactNode, useContext } from "react";
import type { Me } from "@/lib/users/contract";

const MeContext = createContext<Me | null>(null);

export function MeProvider({ me, children }: { readonly me: Me; readonly children: ReactNode }) {
  return <MeContext value={me}>{children}</MeContext>;
}

/** The signed-in person; only inside the frame. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (me === null) throw new Error("useMe() is for pages inside the frame");
  return me;
}
