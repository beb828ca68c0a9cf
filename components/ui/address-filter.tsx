"use client";
// Filters that live in the address: a choice, and a text that is taken once it stands still.
import { useRouter, useSearchParams } from "next/navigation";
import { useEffect, useId, useRef, useState } from "react";
import { useSettled } from "./use-settled";

/** The address with one of its words changed; an empty value takes it away. */
export type Address = (params: URLSearchParams, name: string, value: string) => string;

export function AddressSelect({
  name,
  label,
  any,
  options,
  address,
}: {
  readonly name: string;
  readonly label: string;
  readonly any: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly address: Address;
}) {
  const params = useSearchParams();
  const router = useRouter();
  const id = useId();
  return (
    <div className="min-w-28 flex-1 sm:flex-none">
      <label htmlFor={id} className="sr-only">
        {label}
      </label>
      <select
        id={id}
        className="input"
        value={params.get(name) ?? ""}
        onChange={(event) => router.replace(address(params, name, event.target.value), { scroll: false })}
      >
        <option value="">{any}</option>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}

/** The text of one word of the address while somebody types, and what to do with each key. */
export function useAddressText(name: string, address: Address, settleMs = 300) {
  const params = useSearchParams();
  const router = useRouter();
  const there = params.get(name) ?? "";
  const [text, setText] = useState(there);
  const settled = useSettled(text, settleMs);
  const latest = useRef({ params, there, address });
  latest.current = { params, there, address };
  useEffect(() => setText(there), [there]);
  useEffect(() => {
    const now = latest.current;
    if (settled.trim() !== now.there)
      router.replace(now.address(now.params, name, settled.trim()), { scroll: false });
  }, [settled, name, router]);
  return [text, setText] as const;
}

/** The field that `/` goes to. */
export function AddressSearch({
  name,
  label,
  address,
}: {
  readonly name: string;
  readonly label: string;
  readonly address: Address;
}) {
  const [text, setText] = useAddressText(name, address);
  return (
    <input
      type="search"
      data-filter
      className="input min-w-40 flex-1"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}
