"""Plans: foldings and lanes for a target, their files, rules, costs and reports."""
