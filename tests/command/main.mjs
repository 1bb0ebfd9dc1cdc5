// SPDX-License-Identifier: Apache-2.0
import { argv, exit } from "node:process";
import * as arguments_ from "./arguments_cases.mjs";
import * as auto from "./auto_cases.mjs";
import * as change from "./change_cases.mjs";
import * as conditions from "./conditions_cases.mjs";
import * as encodings from "./encodings_cases.mjs";
import * as firmware from "./firmware_cases.mjs";
import * as formats from "./formats_cases.mjs";
import * as inputs from "./inputs_cases.mjs";
import * as pack from "./pack_cases.mjs";
import * as processors from "./processors_cases.mjs";
import * as recall from "./recall_cases.mjs";
import * as search from "./search_cases.mjs";
import * as system from "./system_cases.mjs";
import { Suite } from "./suite.mjs";

const suite = new Suite(argv.slice(2));
for (const cases of [arguments_, formats, search, conditions, change, recall, encodings,
  auto, pack, firmware, inputs, processors, system])
  await cases.run(suite);
suite.compareTargets();
exit(suite.finish());
