"""The place where the patient is registered: landmarks, sweep, verdict, and checks afterwards."""
