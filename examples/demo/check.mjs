// The demo verifies every step of its own.
import "./demo.mjs";
