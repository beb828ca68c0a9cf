// Asks Prometheus and Alertmanager, and keeps what each said last: one that is away blanks nothing.
import type { Config } from "../config/schema";
import { tellProblem, toAppError } from "../errors/app-error";
import type { ToldProblem } from "../errors/contract";
import type { Component } from "../health/contract";
import { type HeldAlert, type HeldSilence, heldAlerts, heldSilences } from "../systems/alertmanager/alerts";
import { type AlertRules, alertRules } from "../systems/prometheus/rules";
import type { Alert, AlertsSnapshot, Silence } from "./contract";
import { componentFinder, joined, ownAlerts, worstFirst } from "./join";

type Held = { readonly alerts: readonly HeldAlert[]; readonly silences: readonly HeldSilence[] };

/** The last word of one that is asked again and again. */
class Said<T> {
  #said: T | null = null;
  #of = "";
  #away: { since: number; problem: ToldProblem } | null = null;

  get said(): T | null {
    return this.#said;
  }
  get away(): { since: number; problem: ToldProblem } | null {
    return this.#away;
  }

  /** `of`: whom; another one's words are not kept. Never throws. */
  async hear(of: string, ask: () => Promise<T>, now: number): Promise<void> {
    if (this.#of !== of) this.forget(of);
    try {
      this.#said = await ask();
      this.#away = null;
    } catch (error) {
      const says = toAppError(error).message.slice(0, 300);
      const problem = tellProblem(error, { problem: "health.failed", params: { says } });
      this.#away = { since: this.#away?.since ?? now, problem };
    }
  }

  forget(of = ""): void {
    this.#of = of;
    this.#said = null;
    this.#away = null;
  }
}

export type Gathered = Omit<AlertsSnapshot, "alerts"> & {
  /** Worst first; no incidents yet. */
  readonly alerts: Alert[];
  /** Everybody who is asked has answered at least once: what is missing then is over. */
  readonly complete: boolean;
};

export class AlertsGatherer {
  readonly #rules = new Said<AlertRules>();
  readonly #held = new Said<Held>();

  /** Looks once. Never throws. */
  async gather(
    settings: Pick<Config, "systems">,
    components: readonly Component[],
    now = Date.now(),
  ): Promise<Gathered> {
    const [prometheus] = settings.systems.prometheus;
    const [alertmanager] = settings.systems.alertmanager;
    await Promise.all([
      prometheus === undefined
        ? this.#rules.forget()
        : this.#rules.hear(prometheus.url, () => alertRules(prometheus), now),
      alertmanager === undefined
        ? this.#held.forget()
        : this.#held.hear(
            alertmanager.url,
            async () => {
              const [alerts, silences] = await Promise.all([
                heldAlerts(alertmanager),
                heldSilences(alertmanager),
              ]);
              return { alerts, silences };
            },
            now,
          ),
    ]);
    const rules = this.#rules.said;
    const held = this.#held.said;
    const alerts = joined(rules?.alerts ?? [], held?.alerts ?? [], componentFinder(settings));
    const away = [
      { source: "prometheus" as const, away: this.#rules.away },
      { source: "alertmanager" as const, away: this.#held.away },
    ].flatMap(({ source, away: one }) =>
      one === null ? [] : [{ source, since: new Date(one.since).toISOString(), problem: one.problem }],
    );
    return {
      at: new Date(now).toISOString(),
      alerts: [...alerts, ...ownAlerts(components)].sort(worstFirst),
      silences: silencesOf(held?.silences ?? [], alerts, now),
      failing: [...(rules?.failing ?? [])],
      away,
      connected: { prometheus: prometheus !== undefined, alertmanager: alertmanager !== undefined },
      complete: (prometheus === undefined || rules !== null) && (alertmanager === undefined || held !== null),
    };
  }
}

/** Those that are not over, the one that ends first at the top. */
function silencesOf(held: readonly HeldSilence[], alerts: readonly Alert[], now: number): Silence[] {
  return held
    .flatMap(({ status: { state }, ...one }) =>
      state === "expired" || Date.parse(one.endsAt) <= now
        ? []
        : [{ ...one, state, alerts: alerts.filter(({ silencedBy }) => silencedBy.includes(one.id)).length }],
    )
    .sort((a, b) => a.endsAt.localeCompare(b.endsAt));
}
