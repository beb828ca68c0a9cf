// The process's marks in Grafana.
import { engine } from "../changes/engine";
import { config, onConfig } from "../config/load";
import { Annotator } from "./annotator";

/** For lib/runtime/services.ts. */
export const annotationsService = {
  name: "annotations",
  async start(): Promise<() => Promise<void>> {
    const annotator = new Annotator({ config });
    const stops = [engine().onUpdate((row) => annotator.see(row)), onConfig(() => annotator.wake())];
    await annotator.open();
    return async () => {
      for (const stop of stops) stop();
      await annotator.stop();
    };
  },
};
