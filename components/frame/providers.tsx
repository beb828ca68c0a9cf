"use client";
// What every page stands in: the query cache and the toasts.
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { doorFor } from "@/components/entry/to-sign-in";
import { problemOf } from "@/components/ui/problem";
import { ToastProvider } from "@/components/ui/toast";

// What asking again cannot mend is not asked again.
const hopeless = new Set(["UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "INVALID_INPUT", "NOT_CONFIGURED"]);

export function Providers({ children }: { readonly children: ReactNode }) {
  const [queries] = useState(
    () =>
      new QueryClient({
        queryCache: new QueryCache({
          // The session ended while the page was open.
          onError: (error) => {
            if (problemOf(error).code === "UNAUTHENTICATED")
              location.replace(doorFor(location.pathname + location.search));
          },
        }),
        defaultOptions: {
          queries: {
            staleTime: 5_000,
            retry: (failures, error) => failures < 2 && !hopeless.has(problemOf(error).code),
          },
        },
      }),
  );
  return (
    <QueryClientProvider client={queries}>
      <ToastProvider>{children}</ToastProvider>
    </QueryClientProvider>
  );
}
