// SPDX-License-Identifier: Apache-2.0
import { render } from "preact";
import { App } from "./app";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/figures.css";
import "./styles/tables.css";
import "./styles/forms.css";

render(<App />, document.getElementById("app")!);
