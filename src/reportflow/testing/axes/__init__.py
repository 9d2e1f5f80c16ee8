"""The axes of the contract as data: values, conditions and rules, and all questions that they come to."""
