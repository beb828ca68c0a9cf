"use client";
// A purge as the pages run it: its plan while one types, its start, and its row until it is finished.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { useSettled } from "@/components/ui/use-settled";
import { api, query } from "@/lib/api/client";
import type { ChangeRow, ChangeState } from "@/lib/changes/contract";
import { useChangeUpdates } from "@/lib/live/client";
import type { PurgeRequest, PurgeTarget } from "@/lib/purge/contract";

/** True when nothing more will happen to a change in this state by itself. */
export function isFinished(state: ChangeState): boolean {
  return state !== "planned" && state !== "running" && state !== "verifying";
}

/** The plan of a single page, as soon as the address stands still; the last plan stays while the next is made. */
export function usePagePlan(url: string) {
  const settled = useSettled(url.trim(), 350);
  const plan = useQuery({
    ...query.purges.plan.queryOptions({ input: { target: { by: "url", urls: [settled] } } }),
    enabled: settled !== "",
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    retry: false,
  });
  return { ...plan, settled: settled === url.trim(), asked: settled };
}

/** Starts a purge; its answer is the running change. */
export function useStartPurge(onStarted: (id: number) => void) {
  return useMutation({
    mutationFn: async (request: { target: PurgeTarget } & Partial<PurgeRequest>) => {
      const { body } = await api.purges.create({ ...request, wait_ms: 0 });
      return body.id;
    },
    onSuccess: onStarted,
  });
}

/** One purge, followed until it is finished: by the stream, and by asking where the stream is silent. */
export function usePurge(id: number) {
  const queries = useQueryClient();
  const options = query.purges.get.queryOptions({ input: { id } });
  const follow = useCallback(
    (row: ChangeRow) => {
      if (row.id === id)
        void queries.invalidateQueries({ queryKey: query.purges.get.key({ input: { id } }) });
    },
    [queries, id],
  );
  useChangeUpdates(follow);
  return useQuery({
    ...options,
    refetchInterval: (state) => (state.state.data && isFinished(state.state.data.state) ? false : 700),
  });
}
