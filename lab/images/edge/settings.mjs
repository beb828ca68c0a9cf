// A zone's settings that Sluice turns: the security level and development mode, by the official document's words.

const levels = ["off", "essentially_off", "low", "medium", "high", "under_attack"];
const developmentMs = 3 * 3_600_000;

/** @typedef {{level: string, levelAt: number, developmentUntil: number, developmentAt: number}} Kept */

export class Settings {
  constructor(now = Date.now) {
    this.now = now;
    /** @type {Map<string, Kept>} */
    this.zones = new Map();
  }

  /** @param {string} zone @returns {Kept} */
  of(zone) {
    const kept = this.zones.get(zone) ?? {
      level: "medium",
      levelAt: 0,
      developmentUntil: 0,
      developmentAt: 0,
    };
    this.zones.set(zone, kept);
    return kept;
  }

  /** The setting as the API tells it, or undefined: there is none of that name. @param {string} zone @param {string} name */
  read(zone, name) {
    const kept = this.of(zone);
    const on = (/** @type {number} */ at) => new Date(at).toISOString();
    if (name === "security_level")
      return { id: name, value: kept.level, editable: true, modified_on: on(kept.levelAt) };
    if (name !== "development_mode") return undefined;
    const left = Math.max(0, Math.ceil((kept.developmentUntil - this.now()) / 1000));
    return {
      id: name,
      value: left > 0 ? "on" : "off",
      editable: true,
      modified_on: on(kept.developmentAt),
      time_remaining: left,
    };
  }

  /** False: it does not take this value. @param {string} zone @param {string} name @param {unknown} value @param {string} plan */
  write(zone, name, value, plan) {
    const kept = this.of(zone);
    if (name === "security_level") {
      // Only Enterprise may turn it off.
      if (!levels.includes(String(value)) || (value === "off" && plan !== "enterprise")) return false;
      kept.level = String(value);
      kept.levelAt = this.now();
      return true;
    }
    if (value !== "on" && value !== "off") return false;
    kept.developmentUntil = value === "on" ? this.now() + developmentMs : 0;
    kept.developmentAt = this.now();
    return true;
  }

  clear() {
    this.zones.clear();
  }
}
