"use client";
// What every form at the door shares: one call at a time, its failure at the field it belongs to.
import { type FormEvent, useState } from "react";
import { type Problem, problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";

/** `run` a call from a form; `errorAt(field)` is what to say there, `errorElsewhere` what belongs to none of `fields`. */
export function useForm(fields: readonly string[]) {
  const say = useSay();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  return {
    busy,
    clear: () => setProblem(null),
    errorAt: (field: string) => (problem?.field === field ? say.problem(problem) : null),
    errorElsewhere: problem !== null && !fields.includes(problem.field ?? "") ? say.problem(problem) : null,
    run: (work: (values: FormData) => Promise<void>) => async (event: FormEvent<HTMLFormElement>) => {
      event.preventDefault();
      if (busy) return;
      const values = new FormData(event.currentTarget);
      setBusy(true);
      setProblem(null);
      try {
        await work(values);
      } catch (error) {
        setProblem(problemOf(error));
      } finally {
        setBusy(false);
      }
    },
  };
}

/** A text field of a form. */
export function fieldText(values: FormData, name: string): string {
  const value = values.get(name);
  return typeof value === "string" ? value : "";
}
