"use client";
// What is wrong with Traefik's files, in words.
import { useMemo } from "react";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import type { FileProblem } from "@/lib/routing/files/contract";

/** Says a problem of a file in the reader's language. */
export function useSayProblem(): (problem: Pick<FileProblem, "code" | "params">) => string {
  const say = useSay();
  return useMemo(
    () =>
      ({ code, params }) =>
        say.key("routing.validation", code, params),
    [say],
  );
}

/** Problems with their places, where there is no editor to go to. */
export function FileProblems({ problems }: { readonly problems: readonly FileProblem[] }) {
  const sayProblem = useSayProblem();
  return (
    <ul className="grid gap-1">
      {problems.map((problem, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same may be said twice of one place
        <li key={`${problem.file}:${problem.line} ${problem.code} ${index}`}>
          <Status tone={problem.severity === "error" ? "down" : "warn"}>
            <code className="break-all text-mute">
              {problem.file}:{problem.line}
            </code>{" "}
            {sayProblem(problem)}
          </Status>
        </li>
      ))}
    </ul>
  );
}
