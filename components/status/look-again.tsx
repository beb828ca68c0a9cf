"use client";
// Renews the page in place, as long as somebody looks at it.
import { useRouter } from "next/navigation";
import { useEffect } from "react";

const everyMs = 30_000;

export function LookAgain() {
  const { refresh } = useRouter();
  useEffect(() => {
    const look = async () => {
      if (document.visibilityState !== "visible") return;
      // A refresh that fails would leave a browser's error in place of the last word.
      const there = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
      if (there?.ok) refresh();
    };
    const timer = setInterval(() => void look(), everyMs);
    const seen = () => void look();
    document.addEventListener("visibilitychange", seen);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [refresh]);
  return null;
}
