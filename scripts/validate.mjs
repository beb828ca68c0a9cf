// npm run validate: the word for all checks that contributors know; npm test is the one way to run them.
import "./test.mjs";
