// Dark (the default: reading rooms are), light, or as the system has it.

import { useState } from "preact/hooks";
import { keep, kept } from "../storage";

type Theme = "dark" | "light" | "system";

const STORED = "hemora-theme";
const THEMES: Theme[] = ["dark", "light", "system"];

function stored(): Theme {
  const value = kept(STORED);
  return THEMES.find((theme) => theme === value) ?? "dark";
}

const light = matchMedia("(prefers-color-scheme: light)");
light.addEventListener("change", () => applyTheme());

/** Applies the theme that was chosen here. */
export function applyTheme(): void {
  const theme = stored();
  document.documentElement.dataset["theme"] = theme === "system" ? (light.matches ? "light" : "dark") : theme;
}

/** The choice of the theme. */
export function ThemeChoice() {
  const [theme, set] = useState(stored);
  const choose = (chosen: Theme) => {
    keep(STORED, chosen);
    applyTheme();
    set(chosen);
  };
  return (
    <label class="inline">
      Theme
      <select value={theme} onChange={(event) => choose(event.currentTarget.value as Theme)}>
        {THEMES.map((one) => <option key={one} value={one}>{one}</option>)}
      </select>
    </label>
  );
}
