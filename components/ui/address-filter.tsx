"use client";
// Filters that live in the address: a choice, and a text that is taken once it stands still.
import { useSearchParams } from "next/navigation";
import { useEffect, useId, useRef, useState } from "react";
import type { Address } from "./address-at";
import { useEarlyText } from "./use-early-text";
import { useSettled } from "./use-settled";

/** Filters are the browser's own affair: no page is asked of the server for them. Next follows the browser's history. */
export function replaceAddress(address: string): void {
  window.history.replaceState(null, "", address);
}

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
        onChange={(event) => replaceAddress(address(params, name, event.target.value))}
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

/** A text field that is one word of the address, taken once it stands still. Its props are the field's. */
export function useAddressText(name: string, address: Address, settleMs = 300) {
  const params = useSearchParams();
  const there = params.get(name) ?? "";
  const [value, setValue] = useState(there);
  const ref = useRef<HTMLInputElement>(null);
  const settled = useSettled(value, settleMs);
  const latest = useRef({ params, there, address });
  latest.current = { params, there, address };
  useEffect(() => setValue(there), [there]);
  useEarlyText(ref, setValue);
  useEffect(() => {
    const now = latest.current;
    if (settled.trim() !== now.there) replaceAddress(now.address(now.params, name, settled.trim()));
  }, [settled, name]);
  return {
    ref,
    value,
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => setValue(event.target.value),
  };
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
  return (
    <input
      type="search"
      data-filter
      className="input min-w-40 flex-1"
      aria-label={label}
      placeholder={label}
      {...useAddressText(name, address)}
    />
  );
}
