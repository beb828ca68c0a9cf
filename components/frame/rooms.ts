// The rooms of the house, as the sidebar, the phone's bar, the palette and the keys know them.
import {
  BackupIcon,
  HistoryIcon,
  IncidentIcon,
  OverviewIcon,
  PurgeIcon,
  RoutingIcon,
  ServicesIcon,
  SettingsIcon,
  VclIcon,
} from "@/components/ui/icons";

export const rooms = [
  { href: "/overview", label: "rooms.overview", key: "o", icon: OverviewIcon },
  { href: "/incidents", label: "rooms.incidents", key: "i", icon: IncidentIcon },
  { href: "/purge", label: "rooms.purge", key: "p", icon: PurgeIcon },
  { href: "/services", label: "rooms.services", key: "v", icon: ServicesIcon },
  { href: "/vcl", label: "rooms.vcl", key: "c", icon: VclIcon, only: "operator" },
  { href: "/routing", label: "rooms.routing", key: "r", icon: RoutingIcon, only: "operator" },
  { href: "/backups", label: "rooms.backups", key: "b", icon: BackupIcon, only: "operator" },
  { href: "/history", label: "rooms.history", key: "h", icon: HistoryIcon },
  { href: "/settings/connections", label: "rooms.settings", key: "s", icon: SettingsIcon },
] as const;

/** The first part of a path: "/history/12" belongs to "history". */
export function roomOf(path: string): string {
  const [, first = ""] = path.split("/");
  // A component's page belongs to the overview that led there.
  return first === "health" ? "overview" : first;
}

/** Pages inside Settings; `admin` ones are shown to administrators only. */
export const settingsPages = [
  { href: "/settings/connections", label: "settings.connections", admin: false },
  { href: "/settings/account", label: "settings.account", admin: false },
  { href: "/settings/users", label: "settings.users", admin: true },
  { href: "/settings/api", label: "settings.api", admin: false },
] as const;
