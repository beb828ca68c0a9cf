"use client";
// A field of the question that a link may fill by the address. What somebody writes there himself never stands in the address.
import { useSearchParams } from "next/navigation";
import { useEffect, useState } from "react";
import { addressAt } from "@/components/ui/address-at";
import { replaceAddress } from "@/components/ui/address-filter";

const address = addressAt("/routing");

/** The field's text, how it is written, and whether a link filled it. */
export function useGiven(
  name: string,
): readonly [text: string, write: (text: string) => void, given: boolean] {
  const params = useSearchParams();
  const given = params.get(name);
  const [text, setText] = useState(given ?? "");
  useEffect(() => {
    // An empty one empties the field; none leaves it as it is.
    if (given !== null) setText(given);
  }, [given]);
  const write = (written: string) => {
    setText(written);
    if (given !== null) replaceAddress(address(params, name, ""));
  };
  return [text, write, given !== null && given !== ""];
}
