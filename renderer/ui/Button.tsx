import type { ComponentProps } from "react"
import { Icon, type IconName } from "./Icon.tsx"

/** A button that shows an icon alone; its label is read aloud and shown as a tip. */
export function IconButton({
  icon,
  label,
  filled = false,
  ...rest
}: { icon: IconName; label: string; filled?: boolean } & ComponentProps<"button">) {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} {...rest}>
      <Icon name={icon} filled={filled} />
    </button>
  )
}
