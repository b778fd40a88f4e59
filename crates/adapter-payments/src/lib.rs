//! Payment providers behind the payments port: the Stripe wire form, spoken to Stripe and to the sandbox.
