// SPDX-License-Identifier: Apache-2.0
//
// Line icons of 20 units, drawn with the text's colour. All are decoration: the words stand beside them.
import type { ComponentChildren } from "preact";

function Icon({ children, size = 20 }: { children: ComponentChildren; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

/** The wing: three feathers that are also three waves going out. */
export const Mark = ({ size = 26 }: { size?: number }) => (
  <svg
    class="mark"
    width={size}
    height={size}
    viewBox="0 0 32 32"
    fill="none"
    stroke="currentColor"
    stroke-width="3.2"
    stroke-linecap="round"
    aria-hidden="true"
  >
    <path d="M5 26C5 13 14 6 27 6" />
    <path d="M11 26c0-8 5-12.5 13-12.5" />
    <path d="M17 26c0-3.5 1.5-5.5 5-5.5" />
  </svg>
);

export const CheckIcon = ({ size = 20 }: { size?: number }) => (
  <Icon size={size}>
    <path d="M4.5 10.5l3.7 3.7 7.3-8" />
  </Icon>
);
export const AlertIcon = ({ size = 20 }: { size?: number }) => (
  <Icon size={size}>
    <path d="M10 5v6" />
    <path d="M10 14.6v.1" stroke-width="2.2" />
  </Icon>
);
export const CloudOffIcon = ({ size = 20 }: { size?: number }) => (
  <Icon size={size}>
    <path d="M5 8.5a7.5 7.5 0 0 1 10 0M7.7 11.5a3.5 3.5 0 0 1 4.6 0M10 14.5v.1M3.5 3.5l13 13" />
  </Icon>
);
export const PauseIcon = () => (
  <Icon size={16}>
    <path d="M7 5v10M13 5v10" stroke-width="2.2" />
  </Icon>
);
export const PlayIcon = () => (
  <Icon size={16}>
    <path d="M7 4.8v10.4l8-5.2z" fill="currentColor" />
  </Icon>
);
export const SignOutIcon = () => (
  <Icon size={18}>
    <path d="M8 3.5H4.5v13H8M12.5 6.5L16 10l-3.5 3.5M16 10H8" />
  </Icon>
);
export const MeshIcon = () => (
  <Icon>
    <circle cx="10" cy="4" r="1.8" />
    <circle cx="4" cy="15" r="1.8" />
    <circle cx="16" cy="15" r="1.8" />
    <path d="M9 5.7L5 13.3M11 5.7l4 7.6M5.8 15h8.4" />
  </Icon>
);
export const StoreIcon = () => (
  <Icon>
    <ellipse cx="10" cy="5" rx="6" ry="2.3" />
    <path d="M4 5v10c0 1.3 2.7 2.3 6 2.3s6-1 6-2.3V5M4 10c0 1.3 2.7 2.3 6 2.3s6-1 6-2.3" />
  </Icon>
);
export const DishIcon = () => (
  <Icon>
    <path d="M3.8 7.2a6.4 6.4 0 0 0 9 9zM8.3 11.7l3.6-3.6" />
    <path d="M11.9 4.9a3.2 3.2 0 0 1 3.2 3.2M11.9 1.9a6.2 6.2 0 0 1 6.2 6.2" />
  </Icon>
);
export const RelayIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="7" />
    <path d="M3 10h14M10 3c2.2 2 3.2 4.3 3.2 7s-1 5-3.2 7c-2.2-2-3.2-4.3-3.2-7s1-5 3.2-7z" />
  </Icon>
);
