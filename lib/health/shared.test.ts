// What is asked once for all who ask the same.
import { expect, test } from "vitest";
import { Shared } from "./shared";

const answer = { series: [], warnings: [] };

test("a hundred who ask at once are one question, and so are those who come soon after", async () => {
  const shared = new Shared();
  let asked = 0;
  const ask = async () => {
    asked += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return answer;
  };
  await Promise.all(Array.from({ length: 100 }, () => shared.get("a", ask, 10_000)));
  await shared.get("a", ask, 10_000);
  expect(asked).toBe(1);
  await shared.get("b", ask, 10_000);
  expect(asked).toBe(2);
  await shared.get("a", ask, 10_000, Date.now() + 11_000);
  expect(asked).toBe(3);
});

test("a failure is everybody's, and asked about again soon", async () => {
  const shared = new Shared();
  let asked = 0;
  const fail = () => {
    asked += 1;
    return Promise.reject(new Error("no"));
  };
  const both = await Promise.allSettled([shared.get("a", fail, 60_000), shared.get("a", fail, 60_000)]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(asked).toBe(1);
  await expect(shared.get("a", fail, 60_000, Date.now() + 4000)).rejects.toThrow("no");
  expect(asked).toBe(2);
});
