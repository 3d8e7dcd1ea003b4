// Where the browser begins.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { applyBrand } from "./app/brand";
import { applyTheme } from "./app/theme";
import "./styles.css";

applyTheme();
applyBrand();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
