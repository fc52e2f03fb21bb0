/** Paths of icons in a box of 16 by 16, drawn with lines. */
const paths = {
  add: "M8 3v10M3 8h10",
  again: "M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3",
  branch: "M4 3v10M4 8c5 0 8-1 8-5M10 5l2-2 2 2",
  check: "M3 8.5 6.5 12 13 4.5",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M6 6h7v7H6zM3 10V3h7",
  download: "M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10",
  edit: "M3 13l.7-3L11 2.7l2.3 2.3L6 12.3zM9.5 4.2l2.3 2.3",
  file: "M4 2h5l3 3v9H4zM9 2v3h3",
  folder: "M2 4h4l1.5 2H14v7H2z",
  gear: "M2 5h7M12 5h2M2 11h2M7 11h7M10.5 3.2v3.6M5.5 9.2v3.6",
  help: "M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.5-.7 1.1M8 11.6v.1M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z",
  library: "M2.5 3h11v10h-11zM6 3v10",
  microphone: "M8 2a2 2 0 0 1 2 2v3a2 2 0 0 1-4 0V4a2 2 0 0 1 2-2zM4 7a4 4 0 0 0 8 0M8 11v3",
  minus: "M3 8h10",
  more: "M3.5 8h.1M8 8h.1M12.4 8h.1",
  loop: "M3 9V7a3 3 0 0 1 3-3h7M11 2l2 2-2 2M13 7v2a3 3 0 0 1-3 3H3M5 14l-2-2 2-2",
  pause: "M5 3v10M11 3v10",
  play: "M5 3l8 5-8 5z",
  volume: "M2 6v4h3l4 3V3L5 6zM11.5 5.5a3.5 3.5 0 0 1 0 5",
  picture: "M2 3h12v10H2zM2 11l3.5-4 3 3 2-2L14 11M10.5 6h.1",
  right: "M6 3l5 5-5 5",
  search: "M11 7A4 4 0 1 1 3 7a4 4 0 0 1 8 0zM10 10l4 4",
  share: "M8 10V2M5 5l3-3 3 3M4 8H3v6h10V8h-1",
  sound: "M2 8h1M5 5v6M8 2v12M11 5v6M13.5 7v2",
  star: "M8 2l1.8 3.9 4.2.5-3.1 2.9.8 4.2L8 11.4l-3.7 2.1.8-4.2L2 6.4l4.2-.5z",
  stop: "M4 4h8v8H4z",
  story: "M3 3h10M3 6.5h10M3 10h7M3 13h4",
  surprise: "M2 13V9M5 13V6M8 13V3M11 13V7.5M14 13v-3",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 9h5.8l.6-9",
} as const
export type IconName = keyof typeof paths

/** A small drawing that says again what its button's words or label say. */
export function Icon({ name, filled = false }: { name: IconName; filled?: boolean }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path
        d={paths[name]}
        fill={filled ? "currentColor" : "none"}
        stroke="currentColor"
        strokeWidth={name === "more" ? 2.4 : 1.5}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
}
