import { type ReactNode, useEffect, useRef, useState } from "react"
import { Icon, type IconName } from "./Icon.tsx"

/** What can be chosen in a menu. */
export type Choice = { label: string; hint?: string; icon?: IconName; disabled?: boolean; run(): void }

/** A button that opens a list of choices: arrows move, Esc and a click elsewhere close it. */
export function Menu({
  label,
  icon,
  choices,
  children,
}: {
  label: string
  icon?: IconName
  choices: Choice[]
  children?: ReactNode
}) {
  const [open, setOpen] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!open) return
    box.current?.querySelector<HTMLElement>("[role=menuitem]:not(:disabled)")?.focus()
    const away = (e: PointerEvent) => !box.current?.contains(e.target as Node) && setOpen(false)
    addEventListener("pointerdown", away)
    return () => removeEventListener("pointerdown", away)
  }, [open])
  const close = () => {
    setOpen(false)
    button.current?.focus()
  }
  const onKey = (e: React.KeyboardEvent) => {
    const items = [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)") ?? [])]
    const at = items.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[e.key]
    if (e.key === "Escape" && open) close()
    else if (to !== undefined && items.length) items.at(to % items.length)?.focus()
    else return
    e.preventDefault()
    e.stopPropagation()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the buttons inside
    <div className="menu" ref={box} onKeyDown={onKey}>
      <button
        type="button"
        ref={button}
        className={children ? "" : "icon-button"}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={children ? undefined : label}
        title={children ? undefined : label}
        onClick={() => setOpen(!open)}
      >
        {icon && <Icon name={icon} />} {children}
      </button>
      {open && (
        <div className="menu-list" role="menu" aria-label={label}>
          {choices.map((choice) => (
            <button
              type="button"
              role="menuitem"
              key={choice.label}
              disabled={choice.disabled}
              onClick={() => {
                close()
                choice.run()
              }}
            >
              {choice.icon && <Icon name={choice.icon} />}
              <span>{choice.label}</span>
              {choice.hint && <kbd>{choice.hint}</kbd>}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
