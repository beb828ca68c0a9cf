// The drawn things: the mark, the rooms, and the small signs on buttons. All decorative: the word beside them speaks.
import type { ReactNode } from "react";

type IconProps = { readonly size?: number; readonly className?: string };

function icon(drawing: ReactNode) {
  // biome-ignore lint/correctness/noComponentHookFactories: called once per drawing below, when the module is loaded
  return function Icon({ size = 16, className = "" }: IconProps) {
    return (
      <svg
        aria-hidden="true"
        viewBox="0 0 16 16"
        width={size}
        height={size}
        fill="none"
        stroke="currentColor"
        strokeWidth={1.6}
        strokeLinecap="round"
        strokeLinejoin="round"
        className={`shrink-0 ${className}`}
      >
        {drawing}
      </svg>
    );
  };
}

/** Sluice's mark: water, and the gate in it. */
export function Mark({ size = 22 }: { readonly size?: number }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" width={size} height={size} className="shrink-0">
      <path d="M2 7c4-3 6 3 10 0s6 3 10 0v4c-4 3-6-3-10 0s-6-3-10 0z" fill="var(--water)" />
      <path d="M2 15c4-3 6 3 10 0" fill="none" stroke="var(--deep)" strokeWidth="2.4" strokeLinecap="round" />
      <path d="M14 5v15" stroke="var(--ink)" strokeWidth="2.6" strokeLinecap="round" />
    </svg>
  );
}

export const OverviewIcon = icon(
  <path d="M1.5 5c3-2 4.5 2 6.500 0s4.500 2 6.500 0M1.500 11c3-2 4.500 2 6.500 0s4.500 2 6.500 0" />,
);
export const VclIcon = icon(<path d="M5.5 3L2 8l3.5 5M10.500 3L14 8l-3.500 5M9 2.500L7 13.500" />);
export const RoutingIcon = icon(<path d="M2 8h4l4-4h4M6 8l4 4h4M12 2l2 2-2 2M12 10l2 2-2 2" />);
export const BackupIcon = icon(
  <path d="M2 3h12v3.500H2zM3 6.500V13h10V6.500M8 8.500v3m0 0l-1.500-1.500M8 11.500l1.500-1.500" />,
);
export const IncidentIcon = icon(<path d="M1.500 8.500h3l2-5 3 9 2-4h3" />);
export const PurgeIcon = icon(<path d="M8 2v7m0 0l-3-3m3 3l3-3M3 13h10" />);
export const HistoryIcon = icon(<path d="M3 3v10M3 4h7M3 8h10M3 12h5" />);
export const SettingsIcon = icon(
  <>
    <circle cx="8" cy="8" r="2.5" />
    <path d="M8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M3.4 12.6l1.4-1.4M11.2 4.8l1.4-1.4" />
  </>,
);
export const SearchIcon = icon(
  <>
    <circle cx="7" cy="7" r="4.5" />
    <path d="M10.5 10.5L14 14" />
  </>,
);
export const UserIcon = icon(
  <>
    <circle cx="8" cy="5" r="2.8" />
    <path d="M2.5 14c.6-3 2.6-4.5 5.5-4.5s4.900 1.500 5.500 4.500" />
  </>,
);
export const SunIcon = icon(
  <>
    <circle cx="8" cy="8" r="3" />
    <path d="M8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1" />
  </>,
);
export const MoonIcon = icon(<path d="M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7z" />);
export const ScreenIcon = icon(<path d="M2 3h12v8H2zM6 14h4M8 11v3" />);
export const FoldIcon = icon(<path d="M2 3h12v10H2zM6 3v10M11 6.500L9.500 8l1.500 1.500" />);
export const CopyIcon = icon(<path d="M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3" />);
export const CloseIcon = icon(<path d="M4 4l8 8M12 4l-8 8" />);
export const OutIcon = icon(<path d="M6 3H3v10h3M7 8h7m0 0l-3-3m3 3l-3 3" />);
export const GripIcon = icon(
  <path d="M6 3v.01M6 8v.01M6 13v.01M10 3v.01M10 8v.01M10 13v.01" strokeWidth={2.2} />,
);
export const KeyIcon = icon(
  <>
    <circle cx="5" cy="10.500" r="3" />
    <path d="M7.200 8.300L13.500 2M11 4.500l2 2" />
  </>,
);
export const PlugIcon = icon(<path d="M6 2v4M10 2v4M4 6h8v2a4 4 0 0 1-8 0zM8 12v3" />);
export const UsersIcon = icon(
  <>
    <circle cx="6" cy="5.500" r="2.500" />
    <path d="M1.500 13.500c.4-2.600 2-4 4.500-4s4.100 1.400 4.500 4M10.500 3.200a2.500 2.500 0 0 1 0 4.600M12 9.800c1.400.600 2.200 1.800 2.500 3.700" />
  </>,
);
export const BookIcon = icon(
  <path d="M8 4C6.500 2.800 4.500 2.500 2 2.500v10c2.500 0 4.500.300 6 1.500 1.500-1.200 3.500-1.500 6-1.500v-10c-2.500 0-4.500.300-6 1.500zM8 4v10" />,
);
export const ServicesIcon = icon(
  <path d="M2 3.500h12v3.500H2zM2 9h12v3.500H2zM4.500 5.250h.010M4.500 10.750h.010M7 5.250h4.500M7 10.750h4.500" />,
);
export const UndoIcon = icon(<path d="M5.500 3L2.500 6l3 3M2.500 6H10a3.500 3.500 0 0 1 0 7H6" />);
export const AgainIcon = icon(<path d="M13.500 8A5.500 5.500 0 1 1 11.500 3.700M13.500 2v3h-3" />);
